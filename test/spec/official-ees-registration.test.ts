import * as eesRegistration from '../../src/spec/messages/ees-registration.ts'
import * as satelliteCoverage from '../../src/spec/messages/satellite-coverage.ts'
import * as serviceArea from '../../src/spec/messages/service-area.ts'
import { describeDataTypes, describeWholeFile } from './agreement.ts'

const FILE = 'TS29558_Eecs_EESRegistration.yaml'

describeWholeFile(FILE, eesRegistration, serviceArea)
describeDataTypes('TS29549_SS_ASCAIInfoRetrieval.yaml', satelliteCoverage)
