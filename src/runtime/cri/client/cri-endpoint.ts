import { existsSync } from 'node:fs';

/** What the search for a runtime depends on. */
export interface CriEndpointSearch {
	/** The address that the user has given. */
	readonly endpoint?: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Whether there is a socket at the path. */
	exists?(path: string): boolean;
}

/** The variable of `crictl` that names the endpoint. */
const VARIABLE = 'CONTAINER_RUNTIME_ENDPOINT';

const SOCKETS = [
	'/run/containerd/containerd.sock',
	'/run/crio/crio.sock',
	'/run/k3s/containerd/containerd.sock',
];

/** Finds the socket of a runtime of the CRI: the given address, that of `crictl`, the sockets of containerd and CRI-O. */
export function findCriEndpoint({
	endpoint,
	env,
	exists = existsSync,
}: CriEndpointSearch): { readonly socketPath: string } | { readonly problem: string } {
	if (endpoint) return named(endpoint, 'the endpoint of the runtime cri');
	const variable = env[VARIABLE];
	if (variable) return named(variable, VARIABLE);
	const socketPath = SOCKETS.find((path) => exists(path));
	if (socketPath !== undefined) return { socketPath };
	return {
		problem: `there is no runtime of the CRI: none of ${SOCKETS.join(', ')} exists; start containerd or CRI-O, or name its socket with --runtime cri=unix://PATH`,
	};
}

/** Volumes and logs are folders of this machine, so the runtime must be on it. */
function named(text: string, source: string): { readonly socketPath: string } | { readonly problem: string } {
	const path = text.replace(/^unix:(\/\/)?/, '');
	if (path.startsWith('/')) return { socketPath: path };
	return {
		problem: `${source} is ${JSON.stringify(text)}: only a socket of this machine (unix://PATH) can be used`,
	};
}
