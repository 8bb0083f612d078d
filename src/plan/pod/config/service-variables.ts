import type { Variable } from './environment.ts';

/**
 * The variables by which programs in containers find the API server: those of the Service `kubernetes`, whose only port
 * is named https (upstream: `FromServices` in pkg/kubelet/envvars, and `getServiceEnvVarMap` in kubelet_pods.go).
 * Every container gets them, whatever enableServiceLinks says; other Services are not served. `url` is the address of
 * the API server; without one there are no variables.
 */
export function apiServerVariables(url: string | undefined): readonly Variable[] {
	if (url === undefined) return [];
	const { hostname, port: given } = new URL(url);
	const port = given === '' ? '443' : given;
	const host = hostname.replace(/^\[(.*)\]$/, '$1');
	const address = `tcp://${hostname}:${port}`;
	const link = `KUBERNETES_PORT_${port}_TCP`;
	return [
		{ name: 'KUBERNETES_SERVICE_HOST', value: host },
		{ name: 'KUBERNETES_SERVICE_PORT', value: port },
		{ name: 'KUBERNETES_SERVICE_PORT_HTTPS', value: port },
		{ name: 'KUBERNETES_PORT', value: address },
		{ name: link, value: address },
		{ name: `${link}_PROTO`, value: 'tcp' },
		{ name: `${link}_PORT`, value: port },
		{ name: `${link}_ADDR`, value: host },
	];
}
