/** Someone to someone, by a clause. */
export interface Arrow {
  /** as cited everywhere: `TR 33.839 6.x.2.1 step 4` */
  readonly clause: string
  readonly from: string
  readonly to: string
}

/** Hears of each step of a figure while it happens. */
export interface Progress {
  /** Does what the arrow says; `message` may speak of the result. @throws what `act` throws */
  step<Result>(
    arrow: Arrow,
    message: string | ((result: Result) => string),
    act: () => Promise<Result>,
  ): Promise<Result>
}

export const unheard: Progress = { step: (_arrow, _message, act) => act() }
