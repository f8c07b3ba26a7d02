/** Where every simulated fleet stands, but for its cluster. */
export const PLACE = { namespace: 'llm-serving', model: 'llama-70b' } as const;
