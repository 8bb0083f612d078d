import type { Service, ServicePort } from '../../../api/core/service/schema.ts';
import { HEADLESS } from '../../../api/core/service/service-type.ts';
import { compareText } from '../../../base/compare-text.ts';
import { API_SERVER_NAMESPACE, API_SERVER_SERVICE } from '../../services/api-server-service.ts';
import type { Variable } from './environment.ts';

/** What the variables of Services depend on. */
export interface ServiceVariableSources {
	/** The Services of the Pod's namespace; none if its spec.enableServiceLinks is false. */
	readonly services: readonly Service[];
	/** The namespace of the Pod. */
	readonly namespace: string;
	/** The address of the API server; undefined if programs in containers can reach none. */
	readonly apiServerUrl: string | undefined;
}

/**
 * The variables by which programs in containers find Services (upstream: `FromServices` in pkg/kubelet/envvars, and
 * `getServiceEnvVarMap` in kubelet_pods.go): those of the Services in the namespace that have an address, and always those
 * of the Service `kubernetes`, by which they find the API server. These have the address at which it listens, which is
 * reachable whether or not traffic to addresses of Services is forwarded, or for Pods with networks of their own that of the
 * Service.
 */
export function serviceVariables(sources: ServiceVariableSources): readonly Variable[] {
	const { services, namespace, apiServerUrl } = sources;
	const linked = services
		.filter(({ metadata, spec: { clusterIP = '' } }) => {
			const isApiServer = namespace === API_SERVER_NAMESPACE && metadata.name === API_SERVER_SERVICE;
			return clusterIP !== '' && clusterIP !== HEADLESS && !isApiServer;
		})
		.sort((a, b) => compareText(a.metadata.name ?? '', b.metadata.name ?? ''));
	// A Service of that name in the Pod's own namespace comes later and therefore counts, as upstream.
	return [...apiServerVariables(apiServerUrl), ...linked.flatMap(variablesOf)];
}

function variablesOf({
	metadata: { name = '' },
	spec: { clusterIP = '', ports = [] },
}: Service): readonly Variable[] {
	return variables(name, clusterIP, ports);
}

function apiServerVariables(url: string | undefined): readonly Variable[] {
	if (url === undefined) return [];
	const { hostname, port } = new URL(url);
	const host = hostname.replace(/^\[(.*)\]$/, '$1');
	return variables(API_SERVER_SERVICE, host, [{ name: 'https', port: port === '' ? 443 : Number(port) }]);
}

function variables(name: string, host: string, ports: readonly ServicePort[]): readonly Variable[] {
	const [first] = ports;
	if (!first) return [];
	const prefix = inVariable(name);
	const named = ports.flatMap(({ name: portName, port }) =>
		portName ? [{ name: `${prefix}_SERVICE_PORT_${inVariable(portName)}`, value: String(port) }] : [],
	);
	return [
		{ name: `${prefix}_SERVICE_HOST`, value: host },
		{ name: `${prefix}_SERVICE_PORT`, value: String(first.port) },
		...named,
		{ name: `${prefix}_PORT`, value: urlOf(host, first) },
		...ports.flatMap((port) => linkVariables(prefix, host, port)),
	];
}

/** The variables that Docker's links had. */
function linkVariables(prefix: string, host: string, given: ServicePort): readonly Variable[] {
	const { port, protocol = 'TCP' } = given;
	const link = `${prefix}_PORT_${port}_${protocol}`;
	return [
		{ name: link, value: urlOf(host, given) },
		{ name: `${link}_PROTO`, value: protocol.toLowerCase() },
		{ name: `${link}_PORT`, value: String(port) },
		{ name: `${link}_ADDR`, value: host },
	];
}

function urlOf(host: string, { port, protocol = 'TCP' }: ServicePort): string {
	return `${protocol.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function inVariable(name: string): string {
	return name.replaceAll('-', '_').toUpperCase();
}
