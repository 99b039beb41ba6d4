import * as networkArea from '../../src/spec/messages/network-area.ts'
import * as serviceProvisioning from '../../src/spec/messages/service-provisioning.ts'
import { describeDataTypes, describeWholeFile } from './agreement.ts'

describeWholeFile('TS24558_Eecs_ServiceProvisioning.yaml', serviceProvisioning)
describeDataTypes('TS29554_Npcf_BDTPolicyControl.yaml', networkArea)
