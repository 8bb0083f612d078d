/** The protocols that a port can have. */
export const PROTOCOLS: readonly string[] = ['SCTP', 'TCP', 'UDP'];
