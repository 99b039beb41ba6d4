/** Takes "there is no such file" for an answer; everything else stays an error. */
export function absent(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
