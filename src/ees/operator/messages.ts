import { Type } from 'typebox'

/** In the folder of the EES, while it serves. */
export const OPERATOR_SOCKET = 'operator.sock'

/** `POST /eecs` */
export const ListEecs = Type.Object({ after: Type.String(), limit: Type.Integer({ minimum: 1, maximum: 1_000 }) })
/** `POST /relocate` */
export const Relocate = Type.Object({ eecId: Type.String(), target: Type.String() })
