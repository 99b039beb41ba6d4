import { statement } from '../../store/queries.ts'
import type { Statement, Store } from '../../store/store.ts'
import { db } from './registration-store.ts'

/** Single values that an ECS keeps for itself. */
type SettingName = 'restored-in' | 'onboarding-since' | 'policy' | 'signing-keys' | 'authorities' | `port.${string}`

export async function readSetting(store: Store, name: SettingName): Promise<string | undefined> {
  const query = db.selectFrom('setting').select('value').where('name', '=', name)
  const [row] = await store.read<{ value: string }>(query.compile())
  return row?.value
}

export function writeSetting(name: SettingName, value: string): Statement {
  return statement(
    db
      .insertInto('setting')
      .values({ name, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value })),
  )
}
