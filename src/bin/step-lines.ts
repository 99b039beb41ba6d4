import { styleText } from 'node:util'
import type { Progress } from '../ports/progress.ts'
import { type Step, stageFor } from './up/figure.ts'

/** A step as people read it. */
export function stepLine({ clause, from, to, message, ms, ok }: Step): string {
  const mark = ok ? styleText('green', '✔') : styleText('red', '✘')
  const arrow = from === '' ? '' : ` ${short(from)} → ${short(to)}`
  return `  ${mark} ${styleText('cyan', clause)}${arrow}: ${message} ${styleText('dim', `${ms} ms`)}`
}

/** Prints steps as they happen, unless the output is one JSON document. */
export function printedSteps(json: boolean): Progress {
  return stageFor((step) => {
    if (!json) process.stdout.write(`${stepLine(step)}\n`)
  })
}

const short = (name: string) => name.split('.')[0] ?? name
