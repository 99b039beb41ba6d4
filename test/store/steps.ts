/** Migrations that leave a trace each: a table, and one row in it. */
export const STEPS = ['one', 'two', 'three', 'four'].map((name) => ({
  name,
  statements: [`CREATE TABLE ${name} (done TEXT NOT NULL) STRICT`, `INSERT INTO ${name} VALUES ('${name}')`],
}))
