import type { AuthInfo } from '../../spec/messages/onboarding-information.ts'
import { PATHS } from '../authorization-server/metadata.ts'
import type { Onboarded } from '../registrar/onboard-ees.ts'
import type { EcsUrls } from '../urls.ts'

/** Where an EES goes from its onboarding: the authentication and authorization information of TR 33.839 6.Y.2 step 5. */
export function authInfoOf(urls: () => EcsUrls) {
  return ({ renewAfter, accessToken }: Onboarded): AuthInfo => {
    const { apiRoot, mtlsRoot, crl } = urls()
    return {
      apiRoot: mtlsRoot,
      issuer: apiRoot,
      jwksUri: `${apiRoot}${PATHS.jwks}`,
      estUrl: `${mtlsRoot}/.well-known/est`,
      crlUrl: crl,
      renewAfter: new Date(renewAfter).toISOString(),
      tokenEndpoint: `${mtlsRoot}${PATHS.token}`,
      ...(accessToken && { scope: accessToken.scope }),
    }
  }
}
