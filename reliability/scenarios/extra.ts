/** The label of what a scenario adds to the deployment, by which it is found and deleted again. */
export const extra = { 'fairlead-reliability': 'extra' } as const;
export const extraSelector = 'fairlead-reliability=extra';
