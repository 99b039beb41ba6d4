import type { Command } from 'commander'
import { renewOperator } from '../ecs/adapters/operator-credential.ts'
import { systemEnvironment } from './operator.ts'
import { noticeOf, printRenewed, type RenewalArguments, withNotice } from './renewal.ts'

/** Who operates an ECS: whoever can read its folder, and the console that has the credential in it. */
export function addOperatorCommands(ecs: Command): void {
  const operator = ecs.command('operator').description('the credential of the operator of this ECS')
  const renew = operator
    .command('renew')
    .description('give the operator a new key and certificate before the present one ends; also while the ECS serves')
    .requiredOption('--dir <folder>', 'the folder of the ECS')
  withNotice(renew).action(async (options: RenewalArguments) => {
    const { dir, json = false } = options
    const renewed = await renewOperator(dir, noticeOf(options), systemEnvironment('warn'))
    printRenewed(json, [renewed], 'Commands show the new one from now on; give it to a console that has the old one.')
  })
}
