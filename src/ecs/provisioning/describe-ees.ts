import type { EesMethod } from '../../spec/authentication-methods.ts'
import type { EESInfo } from '../../spec/messages/service-provisioning.ts'
import type { Registration } from '../registrar/registration.ts'

/** How an EEC learns of an EES, and how it has to authenticate there (D-15). */
export function describeEes({ eesProf }: Pick<Registration, 'eesProf'>, eesAuthMethods: EesMethod[]): EESInfo {
  const { eesId, endPt, easIds, provId, appLocs, svcContSupp, eecRegConf } = eesProf
  return {
    eesId,
    endPt,
    eecRegConf,
    eesAuthMethods,
    ...(easIds && { easIds }),
    ...(provId !== undefined && { ecspInfo: provId }),
    ...(appLocs && { dnais: appLocs }),
    ...(svcContSupp && { eesSvcContSupp: svcContSupp }),
  }
}
