import { AuthenticationStepFailed, type StepName } from '../errors.ts'

/** @throws AuthenticationStepFailed whatever fails */
export async function at<Result>(step: StepName, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    throw new AuthenticationStepFailed(step, cause)
  }
}
