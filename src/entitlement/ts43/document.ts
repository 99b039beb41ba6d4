import { AP2015, CONNECTIVITY_XML, EAP_RELAY } from '../../spec/entitlement-operations.ts'
import type { EntitlementDocument } from '../../spec/messages/entitlement.ts'
import { refuseUnless } from '../../spec/refusal.ts'

/** The forms of the configuration document: TS.43 2.9. Neither is ever read here. */
export type DocumentType = 'application/json' | typeof CONNECTIVITY_XML

/**
 * JSON, unless the terminal takes XML only.
 *
 * @param accept - the header of the request; whoever sends none takes anything (RFC 9110 12.5.1)
 * @throws Refusal NOT_ACCEPTABLE
 */
export function documentTypeFor(accept: string | undefined): DocumentType {
  if (accept === undefined || takes(accept, 'application/json')) return 'application/json'
  refuseUnless(takes(accept, CONNECTIVITY_XML), 'NOT_ACCEPTABLE', 'the answer is a configuration document')
  return CONNECTIVITY_XML
}

/** Whether the terminal can relay EAP packets. */
export function takesEapRelay(accept: string | undefined): boolean {
  return accept === undefined || takes(accept, EAP_RELAY)
}

function takes(accept: string, mediaType: string): boolean {
  const [type] = mediaType.split('/')
  return accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const isRefused = parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter))
    return !isRefused && [mediaType, `${type}/*`, '*/*'].includes(name)
  })
}

export function writeDocument(document: EntitlementDocument, type: DocumentType): string {
  return type === 'application/json' ? JSON.stringify(document) : toXml(document)
}

function toXml({ Vers, Token, ap2015 }: EntitlementDocument): string {
  const characteristics = [
    characteristic('VERS', Vers),
    ...(Token === undefined ? [] : [characteristic('TOKEN', Token)]),
    characteristic('APPLICATION', { AppID: AP2015, ...ap2015 }),
  ]
  return `<?xml version="1.0"?>\n<wap-provisioningdoc version="1.1">\n${characteristics.join('')}</wap-provisioningdoc>\n`
}

function characteristic(type: string, parameters: Readonly<Record<string, string>>): string {
  const lines = Object.entries(parameters).map(
    ([name, value]) => `    <parm name="${escapeXml(name)}" value="${escapeXml(value)}"/>\n`,
  )
  return `  <characteristic type="${type}">\n${lines.join('')}  </characteristic>\n`
}

/** Nothing else in our values has a meaning in XML 1.0 2.4. */
function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"']/g, (character) => `&#${character.codePointAt(0)};`)
}
