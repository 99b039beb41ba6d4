import { openStore } from '../../src/store/open-store.ts'
import { STEPS } from './steps.ts'

// Opens a store and is killed in the middle of one migration, between its two statements.

const [file = '', position = ''] = process.argv.slice(2)
const statements = STEPS[Number(position)]?.statements ?? []
Object.defineProperty(statements, 1, { get: () => process.kill(process.pid, 'SIGKILL') })
await openStore({ file, migrations: STEPS })
