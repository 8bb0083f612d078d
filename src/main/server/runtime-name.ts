/**
 * The container runtimes: `process` runs host processes, `sandbox` images without an engine, `docker` has Docker or Podman
 * run containers, `fake` simulates containers without running anything, and `auto` is the first of `sandbox`, `docker` and
 * `process` that this machine allows.
 */
const RUNTIMES = ['auto', 'process', 'sandbox', 'docker', 'fake'] as const;

/** The name of a container runtime. */
export type RuntimeName = (typeof RUNTIMES)[number];

/** Names the runtime of commands that are not told one. */
export const RUNTIME_VARIABLE = 'STINT_RUNTIME';

/** The runtime with this name. Throws an Error for the user if there is none. */
export function runtimeNamed(name: string, source: string): RuntimeName {
	const found = RUNTIMES.find((each) => each === name);
	if (found) return found;
	throw new Error(
		`${source}: there is no runtime "${name}"; use ${RUNTIMES.slice(0, -1).join(', ')} or fake`,
	);
}
