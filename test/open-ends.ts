import { after } from 'node:test'

/** What a test file may need to close its connections and servers behind its last test, in milliseconds. */
const PATIENCE = 30_000

/**
 * For `node --import`: a file whose tests have ended and which does not end has left something open, as after a hook
 * that failed. It is told and ended, so that the run goes on and fails for it, and does not wait for ever.
 */
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  after(() => {
    setTimeout(() => {
      process.stderr.write(`left open: ${process.getActiveResourcesInfo().join(', ')}\n`)
      process.exit(1)
    }, PATIENCE).unref()
  })
}
