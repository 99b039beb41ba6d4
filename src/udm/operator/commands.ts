import type { PlmnId } from '../../spec/subscriber-identifiers.ts'
import type { SubscriberRecord, Subscription } from '../subscriber.ts'

/** What an operator can do: the same while the UDM serves, through its `admin` listener, and while it does not. */
export interface UdmCommands {
  /** All of them or none. @throws Refusal SUBSCRIBER_EXISTS, EEC_ID_IN_USE, or of `readSubscriber` */
  add(records: readonly SubscriberRecord[]): Promise<{ readonly added: number }>
  /** In the order of their SUPIs. @param after - the SUPI that the last page ended with */
  list(after?: string): Promise<SubscriberPage>
  /** @throws Refusal USER_NOT_FOUND */
  remove(supi: string): Promise<void>
  /**
   * Takes the place of those that the subscriber had. The AUSF hears of it at its next authentication.
   *
   * @param eecIds - undefined: any
   * @throws Refusal USER_NOT_FOUND, EEC_ID_IN_USE, OPTIONAL_IE_INCORRECT
   */
  setEecIds(supi: string, eecIds: readonly string[] | undefined): Promise<void>
  /** What a USIM of this network is given beside its own keys. */
  homeNetworkKeys(): Promise<HomeNetworkKeys>
}

export interface SubscriberPage {
  readonly subscribers: readonly Subscription[]
  /** present if there are more */
  readonly next?: string
}

export interface HomeNetworkKeys {
  readonly homeNetwork: PlmnId
  /** of subscribers for whom no other is given */
  readonly routingIndicator: string
  readonly keys: readonly {
    readonly id: number
    readonly profile: 'A' | 'B'
    /** 32 octets in Profile A, a compressed point in Profile B; hexadecimal */
    readonly key: string
  }[]
}
