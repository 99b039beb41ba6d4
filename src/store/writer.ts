import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { groupCommit } from './group-commit.ts'
import { openMark } from './mark.ts'
import { connectForWriting, digestAtRest } from './open-database.ts'
import type { UnitOfWork } from './unit-of-work.ts'
import type { FromWriter, ToWriter, WriterData } from './writer-messages.ts'

// The thread that writes. An error that is not caught here ends it, and the store with it.

/** Then no more are collected: the first unit waits for the last. */
const MOST_UNITS = 1024

if (!parentPort) throw new Error('the writer runs in a worker thread')
const port = parentPort
const { file }: WriterData = workerData
const mark = openMark(file)
const writing = groupCommit(() => connectForWriting(file), mark)

port.on('message', (first: ToWriter) => {
  let units: readonly UnitOfWork[] = []
  let message: ToWriter | undefined = first
  while (message !== undefined && message !== 'close') {
    units = units.length === 0 ? message : units.concat(message)
    // What came in while the last transaction was on its way to the disk goes into the next one.
    message = units.length < MOST_UNITS ? receiveMessageOnPort(port)?.message : undefined
  }
  if (units.length > 0) answer(write(units))
  if (message === 'close') close()
})

writing.commit([])
answer('ready')

function answer(message: FromWriter): void {
  port.postMessage(message)
}

function write(units: readonly UnitOfWork[]): FromWriter {
  const count = units.length
  try {
    const outcomes = writing.commit(units)
    return { count, refused: [...outcomes.entries()].filter(([, outcome]) => outcome !== undefined) }
  } catch (error) {
    return { count, unavailable: error instanceof Error ? error.message : String(error) }
  }
}

function close(): void {
  const left = writing.close()
  // Else the log could come back with a power failure, and the digest would be taken for wrong.
  syncFolder(dirname(file))
  const digest = left && digestAtRest(file)
  if (left && digest) {
    mark.write({ ...left, digest })
    mark.sync()
  }
  mark.close()
  answer('closed')
  port.close()
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
