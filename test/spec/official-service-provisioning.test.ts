import * as acProfile from '../../src/spec/messages/ac-profile.ts'
import * as networkArea from '../../src/spec/messages/network-area.ts'
import * as serviceProvisioning from '../../src/spec/messages/service-provisioning.ts'
import * as tunnelInfo from '../../src/spec/messages/tunnel-info.ts'
import { describeDataTypes, describeWholeFile } from './agreement.ts'

describeWholeFile('TS24558_Eecs_ServiceProvisioning.yaml', serviceProvisioning)
describeDataTypes('TS24558_Eees_EECRegistration.yaml', acProfile)
describeDataTypes('TS29558_Eecs_TargetEESDiscovery.yaml', tunnelInfo)
describeDataTypes('TS29554_Npcf_BDTPolicyControl.yaml', networkArea)
