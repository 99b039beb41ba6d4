import * as northboundBasicTypes from '../../src/spec/messages/ts29122/basic-types.ts'
import * as cpProvisioning from '../../src/spec/messages/ts29122/cp-provisioning.ts'
import * as locationArea from '../../src/spec/messages/ts29122/location-area.ts'
import * as monitoringEvent from '../../src/spec/messages/ts29122/monitoring-event.ts'
import * as northboundProblemDetails from '../../src/spec/messages/ts29122/problem-details.ts'
import * as nfDiscovery from '../../src/spec/messages/ts29510/nf-discovery.ts'
import * as nfManagement from '../../src/spec/messages/ts29510/nf-management.ts'
import * as basicTypes from '../../src/spec/messages/ts29571/basic-types.ts'
import * as ipAddresses from '../../src/spec/messages/ts29571/ip-addresses.ts'
import * as networkIdentifiers from '../../src/spec/messages/ts29571/network-identifiers.ts'
import * as problemDetails from '../../src/spec/messages/ts29571/problem-details.ts'
import * as radioAccessNodes from '../../src/spec/messages/ts29571/radio-access-nodes.ts'
import * as spatialValidity from '../../src/spec/messages/ts29571/spatial-validity.ts'
import * as subscriberIdentifiers from '../../src/spec/messages/ts29571/subscriber-identifiers.ts'
import * as traceData from '../../src/spec/messages/ts29571/trace-data.ts'
import * as userLocation from '../../src/spec/messages/ts29571/user-location.ts'
import * as civicAddress from '../../src/spec/messages/ts29572/civic-address.ts'
import * as geographicArea from '../../src/spec/messages/ts29572/geographic-area.ts'
import * as positioning from '../../src/spec/messages/ts29572/positioning.ts'
import * as relativeLocation from '../../src/spec/messages/ts29572/relative-location.ts'
import * as velocity from '../../src/spec/messages/ts29572/velocity.ts'
import { describeDataTypes } from './agreement.ts'

describeDataTypes('TS29122_CommonData.yaml', northboundBasicTypes, northboundProblemDetails, locationArea)
describeDataTypes('TS29122_MonitoringEvent.yaml', monitoringEvent)
describeDataTypes('TS29122_CpProvisioning.yaml', cpProvisioning)
describeDataTypes('TS29510_Nnrf_NFDiscovery.yaml', nfDiscovery)
describeDataTypes('TS29510_Nnrf_NFManagement.yaml', nfManagement)
describeDataTypes(
  'TS29571_CommonData.yaml',
  basicTypes,
  networkIdentifiers,
  problemDetails,
  ipAddresses,
  radioAccessNodes,
  subscriberIdentifiers,
  userLocation,
  traceData,
  spatialValidity,
)
describeDataTypes('TS29572_Nlmf_Location.yaml', civicAddress, geographicArea, positioning, relativeLocation, velocity)
