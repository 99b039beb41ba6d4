import { refuseUnless } from '../spec/refusal.ts'
import type { SubscriberRecord } from './subscriber.ts'

const COLUMNS = [
  'supi',
  'k',
  'opc',
  'op',
  'gpsi',
  'amf',
  'sqn',
  'routingIndicator',
  'authMethod',
  'edge',
  'akma',
  'eecIds',
] as const
type Column = (typeof COLUMNS)[number]

/**
 * Subscribers as comma separated values: a line with the names of the columns, then one line for each. No value of ours
 * holds a comma or a quotation mark, so neither is allowed; `edge` and `akma` are `yes` or `no`; blanks stand between
 * several EEC IDs; an empty field is as one that is left out.
 *
 * @throws Refusal INVALID_MSG_FORMAT that names the line, never its content
 */
export function parseSubscriberList(text: string): SubscriberRecord[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const columns = (lines[0] ?? '').split(',').map((name) => name.trim())
  const known = columns.every(isColumn) && new Set(columns).size === columns.length
  refuseUnless(known, 'INVALID_MSG_FORMAT', `line 1 names columns: ${COLUMNS.join(', ')}`)
  refuseUnless(columns.includes('supi') && columns.includes('k'), 'INVALID_MSG_FORMAT', 'supi and k have a column')
  return lines.slice(1).flatMap((line, index) => (line.trim() === '' ? [] : [readLine(line, columns, index + 2)]))
}

function readLine(line: string, columns: readonly Column[], number: number): SubscriberRecord {
  const fields = line.split(',').map((field) => field.trim())
  const plain = fields.length === columns.length && !line.includes('"')
  refuseUnless(plain, 'INVALID_MSG_FORMAT', `line ${number} has not one plain field for each column`)
  const record: Record<string, string | boolean | string[]> = {}
  columns.forEach((column, index) => {
    const field = fields[index] ?? ''
    if (field === '') return
    record[column] = readField(column, field, number)
  })
  const { supi = '', k = '' } = record
  return { ...record, supi: String(supi), k: String(k) }
}

function readField(column: Column, field: string, line: number): string | boolean | string[] {
  if (column === 'edge' || column === 'akma') return yesOrNo(field, line)
  return column === 'eecIds' ? field.split(/ +/) : field
}

function yesOrNo(field: string, line: number): boolean {
  refuseUnless(field === 'yes' || field === 'no', 'INVALID_MSG_FORMAT', `line ${line}: edge and akma are yes or no`)
  return field === 'yes'
}

function isColumn(name: string): name is Column {
  return COLUMNS.some((column) => column === name)
}
