import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { freePorts } from '../../src/http/free-ports.ts'
import { edgeward, edgewardJson, type Server, serve, storyFolder } from './program.ts'

describe('what is measured of a server: metrics in ecs.yaml', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let ecs: Server
  let port: number
  before(async () => {
    story = await storyFolder()
    port = (await freePorts('127.0.0.1', 1))[0] ?? 0
    for (const [name, fqdn] of [
      ['ecs1', 'ecs1.example.com'],
      ['ecs2', 'ecs2.example.com'],
    ] as const) {
      await edgewardJson('ecs', 'init', '--dir', story.at(name), '--fqdn', fqdn)
      appendFileSync(story.at(name, 'ecs.yaml'), `\nmetrics: { port: ${port} }\n`)
    }
    ecs = await serve('ecs', 'serve', '--dir', story.at('ecs1'))
  })
  after(async () => {
    await ecs.stop()
    await story.remove()
  })

  test('a command of the operator is counted as a request', async () => {
    await edgewardJson('ecs', 'ees', 'list', '--dir', story.at('ecs1'))
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.equal(answer.status, 200)
    const text = await answer.text()
    assert.match(text, /^edgeward_request_duration_seconds_count\{listener="admin",operation="\w+",status="200"\} 1$/m)
    assert.match(text, /^edgeward_connections_open\{listener="admin"\} \d$/m)
    assert.match(text, /^process_resident_memory_bytes \d+$/m)
  })

  test('where the port is not to be had, the server does not start, and says so', async () => {
    const { code, stderr } = await edgeward('ecs', 'serve', '--dir', story.at('ecs2'))
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`${port}.*(in use|taken)|(in use|taken).*${port}`))
  })
})
