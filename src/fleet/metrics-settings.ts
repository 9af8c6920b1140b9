// What is told apart in the metrics, decoded.

export interface MetricsSettings {
  /** Whether tenants are told apart. */
  readonly tenants: boolean;
  /** Whether the names of OpenTelemetry's conventions for generative AI are there beside our own. */
  readonly genaiNames: boolean;
  /** How many models have series of their own; more of them are counted as `other`. */
  readonly maxModels: number;
}
