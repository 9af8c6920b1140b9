// What a member can do for a model. Three values: yes, no, and unknown, which counts as able until a backend says no.

/** The endpoints callers can ask for; src/endpoints/index.ts has one entry for each. */
export const endpointNames = ['chat-completions', 'completions', 'embeddings'] as const;
export type EndpointName = (typeof endpointNames)[number];

/** What a request can need beside its endpoint. Names as in fleet.yaml and in `/v1/models`. */
export const featureNames = ['tools', 'vision', 'audio', 'json_schema'] as const;
export type FeatureName = (typeof featureNames)[number];

export type Capability = EndpointName | FeatureName;
export const capabilityNames: readonly Capability[] = [...endpointNames, ...featureNames];

/** True: can. False: known not to. Absent: unknown. */
export type Capabilities = Readonly<Partial<Record<Capability, boolean>>>;

/** Later layers win; absent entries leave earlier ones alone. */
export function mergeCapabilities(...layers: readonly (Capabilities | undefined)[]): Capabilities {
  const merged: Partial<Record<Capability, boolean>> = {};
  for (const layer of layers) {
    for (const name of capabilityNames) {
      const value = layer?.[name];
      if (value !== undefined) merged[name] = value;
    }
  }
  return merged;
}
