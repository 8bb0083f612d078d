import type { Pod } from '../../api/core/pod/schema.ts';

/** What the name in the path of a subresource `proxy` means. */
export interface ProxiedName {
	readonly isTls: boolean;
	/** The name of the object. */
	readonly name: string;
	/** A number or a name; empty if the path names no port. */
	readonly port: string;
}

/**
 * Reads `name`, `name:port` or `scheme:name:port`; undefined if the text is none of them (upstream: SplitSchemeNamePort
 * in apimachinery/pkg/util/net).
 */
export function proxiedName(id: string): ProxiedName | undefined {
	const parts = id.split(':');
	if (parts.length > 3) return undefined;
	const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
	if (name === '' || !['', 'http', 'https'].includes(scheme)) return undefined;
	return { isTls: scheme === 'https', name, port };
}

/**
 * The port of a Pod that a request means: by number, by the name of a container port, or without either the first
 * container port, else that of the scheme (upstream: ResourceLocation in registry/core/pod/strategy.go, which knows no
 * names). Undefined if there is no such port.
 */
export function proxiedPodPort({ spec }: Pod, { port, isTls }: ProxiedName): number | undefined {
	const declared = spec.containers.flatMap(({ ports = [] }) => ports);
	if (port === '') return declared[0]?.containerPort ?? (isTls ? 443 : 80);
	if (/^\d{1,5}$/.test(port)) return portNumber(Number(port));
	return declared.find(({ name }) => name === port)?.containerPort;
}

function portNumber(port: number): number | undefined {
	return port >= 1 && port <= 65_535 ? port : undefined;
}
