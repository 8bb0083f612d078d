/** The paths of fields of a security context, which Pods and containers have. */
export function inBoth(...names: readonly string[]): readonly string[] {
	return names.flatMap((name) => [
		`spec.securityContext.${name}`,
		`spec.containers[].securityContext.${name}`,
	]);
}
