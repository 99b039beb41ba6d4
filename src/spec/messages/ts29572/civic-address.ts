import { type Static, Type } from 'typebox'

const text = Type.Optional(Type.String())

/** A postal address: TS 29.572 6.1.6.2, with the element names of RFC 4776 and RFC 5139. */
export const CivicAddress = Type.Object({
  /** two letters, ISO 3166 */
  country: text,
  /** state, county, city, borough, neighbourhood, street: from wide to narrow */
  A1: text,
  A2: text,
  A3: text,
  A4: text,
  A5: text,
  A6: text,
  PRD: text,
  POD: text,
  STS: text,
  HNO: text,
  HNS: text,
  LMK: text,
  LOC: text,
  NAM: text,
  PC: text,
  BLD: text,
  UNIT: text,
  FLR: text,
  ROOM: text,
  PLC: text,
  PCN: text,
  POBOX: text,
  ADDCODE: text,
  SEAT: text,
  RD: text,
  RDSEC: text,
  RDBR: text,
  RDSUBBR: text,
  PRM: text,
  POM: text,
  usageRules: text,
  method: text,
  providedBy: text,
})
export type CivicAddress = Static<typeof CivicAddress>
