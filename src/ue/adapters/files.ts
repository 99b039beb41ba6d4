/** What lies in the folder of a UE; everything is of mode 0600. */
export const FILES = {
  configuration: 'ue.yaml',
  sealingKey: 'sealing.key',
  /** sealed: K, OPc and the settings of the USIM */
  usim: 'usim.json',
  /** SEQ_MS of the USIM */
  sqn: 'sqn',
  /** sealed: Kedge and Kedge ID of the last primary authentication */
  keys: 'keys',
  lock: 'usim.lock',
  /** the EECs that may ask for keys, with a hash of the token of each */
  allowed: 'eecs.json',
  /** the credential of each EEC, unless it was written elsewhere */
  credentials: 'eecs',
  socket: 'edge.sock',
  socketLock: 'edge.lock',
} as const
