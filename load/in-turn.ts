/** The item whose turn it is. */
export function inTurn<T>(list: readonly T[], turn: number): T {
  const item = list[turn % list.length];
  if (item === undefined) throw new Error('a load run has connections to choose from');
  return item;
}
