import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Every octet that goes over the loopback interface, as another program records it. */
export interface Capture {
  /** Ends it. @returns all packets, as they were */
  stop(): Promise<Buffer>
}

/** tcpdump needs the rights of root. */
export const maySniff = process.getuid?.() === 0

/** @param file - where it goes */
export async function captureLoopback(file: string): Promise<Capture> {
  const tcpdump = spawn('tcpdump', ['-i', 'lo', '-U', '-B', '65536', '-Z', 'root', '-w', file, 'tcp'])
  const ended = new Promise<void>((resolve) => tcpdump.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    tcpdump.stderr.on('data', (said: Buffer) => {
      if (said.includes('listening on')) resolve()
    })
    tcpdump.once('exit', (code) => reject(new Error(`tcpdump ended with ${code}`)))
  })
  return {
    async stop() {
      // What is in the buffer of the kernel is handed over first.
      await wait(1_500)
      tcpdump.kill('SIGINT')
      await ended
      return readFileSync(file)
    },
  }
}

/**
 * The ways in which digits may be written: text, packed BCD (TS 24.501), base64 at each alignment, hexadecimal of the
 * text.
 */
export function formsOfDigits(digits: string): Buffer[] {
  const text = Buffer.from(digits)
  const swapped = (digits.length % 2 === 0 ? digits : `${digits}f`).replaceAll(/(.)(.)/g, '$2$1')
  const base64 = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), text])
      .toString('base64')
      .replace(/=+$/, '')
    // The characters that also hold bits of what is before and behind.
    return Buffer.from(encoded.slice(before === 0 ? 0 : before + 1, -1))
  })
  return [text, Buffer.from(swapped, 'hex'), Buffer.from(text.toString('hex')), ...base64]
}
