/** A path parameter as a whole number between two bounds, or undefined. */
export function wholeNumber(parameter: string, min: number, max: number): number | undefined {
  const value = Number(parameter);
  return /^\d{1,9}$/.test(parameter) && value >= min && value <= max ? value : undefined;
}
