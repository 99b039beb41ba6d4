/** Where an ECS is reached, as its certificates, tokens and answers say. */
export interface EcsUrls {
  /** the `server` listener: `https://FQDN:PORT` */
  readonly apiRoot: string
  /** the `mtls` listener */
  readonly mtlsRoot: string
  /** the revocation list of the EES issuing authority */
  readonly crl: string
}
