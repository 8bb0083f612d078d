/**
 * The container runtimes: `process` runs host processes, `sandbox` images without an engine, `docker` has Docker or Podman
 * run containers, `cri` has containerd or CRI-O run them, `fake` simulates containers without running anything, and `auto` is the first of `sandbox`, `docker` and
 * `process` that this machine allows.
 */
const RUNTIMES = ['auto', 'process', 'sandbox', 'docker', 'cri', 'fake'] as const;

/** The name of a container runtime. */
export type RuntimeName = (typeof RUNTIMES)[number];

/** The environment variable that names the runtime of a server without `--runtime`. */
export const RUNTIME_VARIABLE = 'STINT_RUNTIME';

/** The runtime that a user has chosen. */
export interface RuntimeChoice {
	readonly name: RuntimeName;
	/** The socket of the runtime, if the user has named it. */
	readonly endpoint?: string;
}

/** The runtimes after which `=` and the address of a socket may follow. */
const WITH_ENDPOINT: ReadonlySet<RuntimeName> = new Set(['docker', 'cri']);

/** The runtime of a text, `NAME` or `NAME=ENDPOINT`. Throws an Error for the user if there is none. */
export function runtimeNamed(text: string, source: string): RuntimeChoice {
	const [name = '', ...rest] = text.split('=');
	const found = RUNTIMES.find((each) => each === name);
	if (found && rest.length === 0) return { name: found };
	const endpoint = rest.join('=');
	if (found && WITH_ENDPOINT.has(found) && endpoint !== '') return { name: found, endpoint };
	if (found && WITH_ENDPOINT.has(found))
		throw new Error(`${source}: after ${name}= comes the address of a socket`);
	if (found) throw new Error(`${source}: the runtime ${name} has no endpoint`);
	throw new Error(
		`${source}: there is no runtime "${name}"; use ${RUNTIMES.slice(0, -1).join(', ')} or fake`,
	);
}
