import * as accessToken from '../../src/spec/messages/access-token.ts'
import * as analyticsEvents from '../../src/spec/messages/analytics-events.ts'
import { describeDataTypes, describeWholeFile } from './agreement.ts'

const FILE = 'TS29510_Nnrf_AccessToken.yaml'

describeWholeFile(FILE, accessToken)
describeDataTypes('TS29520_Nnwdaf_EventsSubscription.yaml', analyticsEvents)
