import { DEFAULT_DOMAIN, type ImageReference, repositoryText } from '../../names/image-reference.ts';
import type { Credential } from '../credentials/credential.ts';
import { isThisMachine } from '../http/addresses.ts';
import type { TlsSettings } from '../http/agents.ts';
import { RegistryError } from '../registry-error.ts';
import type { HostConfig, Mirror, RegistriesConfig } from './registries-config.ts';

/** A place from which the images of a registry can be had: a mirror, or the registry itself. */
export interface Endpoint {
	/** Where the protocol begins, such as `https://registry-1.docker.io/v2`, without a slash at the end. */
	readonly base: URL;
	/** The path of the repository at this endpoint. */
	readonly path: string;
	/** By which credentials are searched: the name of the repository at this endpoint. */
	readonly name: string;
	/** Tells a mirror which registry is meant; undefined for the registry itself. */
	readonly namespace?: string;
	/** The hosts to which requests and credentials may go over plain HTTP, besides this machine. */
	readonly httpHosts: readonly string[];
	/** Whether the user named a host of this machine. */
	readonly allowsLoopback: boolean;
	readonly tls?: TlsSettings;
	readonly credential?: Credential;
}

/** Which endpoints there are. */
export interface EndpointOptions {
	readonly config: RegistriesConfig;
	/**
	 * Registries whose certificates are not verified, or that have none, as `host` or `host:port` (docker's
	 * `insecure-registries`).
	 */
	readonly insecureRegistries: readonly string[];
	/** If true, the registry itself is not asked when it has mirrors. */
	readonly mirrorsOnly?: boolean;
}

const HUB_HOST = 'registry-1.docker.io';

/** The endpoints for pulls of an image, in the order in which they are tried. Throws RegistryError for an impossible host. */
export function pullEndpoints(reference: ImageReference, options: EndpointOptions): readonly Endpoint[] {
	const { mirrors } = options.config;
	const mirror = mirrors.get(reference.domain) ?? mirrors.get('*');
	const mirrored = (mirror?.endpoints ?? []).map((url) =>
		mirrorEndpoint(reference, { url, mirror, options }),
	);
	if (options.mirrorsOnly && mirrored.length > 0) return mirrored;
	const own = ownEndpoints(reference, options);
	// A mirror is often the registry itself, in order to say that it has plain HTTP.
	const isNew = ({ base }: Endpoint): boolean => !mirrored.some((each) => each.base.href === base.href);
	return [...mirrored, ...own.filter(isNew)];
}

/**
 * The endpoints for pushes: the first of mirrors that name the registry's own host (they say how it is accessed), or
 * the registry itself. Other mirrors only serve pulls.
 */
export function pushEndpoints(reference: ImageReference, options: EndpointOptions): readonly Endpoint[] {
	const own = ownEndpoints(reference, options);
	const mirror = options.config.mirrors.get(reference.domain);
	// Mirrors of a name that stands for a registry of this machine, as k3d writes them, are the registry.
	const url = mirror?.endpoints.find(
		({ host, hostname }) => host === reference.domain || isThisMachine(hostname),
	);
	return url ? [mirrorEndpoint(reference, { url, mirror, options })] : own;
}

interface MirrorUse {
	readonly url: URL;
	readonly mirror: Mirror | undefined;
	readonly options: EndpointOptions;
}

function mirrorEndpoint(reference: ImageReference, { url, mirror, options }: MirrorUse): Endpoint {
	const { domain } = reference;
	const config = hostConfig(url.host, options.config);
	const path = rewritten(reference.path, mirror);
	const isItself = url.host === domain || (domain === DEFAULT_DOMAIN && url.host === HUB_HOST);
	return {
		base: baseOf(url),
		path,
		name: isItself ? `${domain}/${path}` : `${url.host}/${path}`,
		...(!isItself && { namespace: domain }),
		httpHosts: httpHosts(options),
		allowsLoopback: true,
		...tlsOf(config, url.host, options),
		...(config?.credential && { credential: config.credential }),
	};
}

/** A path that is not `/v2` is used as it is: some mirrors serve several registries below different paths. */
function baseOf(url: URL): URL {
	const path = url.pathname.replace(/\/+$/, '');
	return new URL(path === '' ? '/v2' : path, url);
}

function rewritten(path: string, mirror: Mirror | undefined): string {
	for (const { pattern, replacement } of mirror?.rewrites ?? []) {
		const changed = path.replace(pattern, replacement);
		if (changed !== path) return changed;
	}
	return path;
}

function ownEndpoints(reference: ImageReference, options: EndpointOptions): readonly Endpoint[] {
	const { domain, path } = reference;
	const host = domain === DEFAULT_DOMAIN ? HUB_HOST : domain;
	const secure = URL.parse(`https://${host}/v2`);
	if (secure?.pathname !== '/v2')
		throw new RegistryError(`invalid registry host ${JSON.stringify(host)}`, { kind: 'invalid' });
	const config = hostConfig(domain, options.config) ?? hostConfig(host, options.config);
	const isLocal = isThisMachine(secure.hostname);
	const isInsecure = isListedInsecure(domain, options);
	const common = {
		path,
		name: repositoryText(reference),
		allowsLoopback: isLocal,
		httpHosts: httpHosts(options),
		...tlsOf(config, domain, options),
		...(config?.credential && { credential: config.credential }),
	};
	const plain = new URL(`http://${host}/v2`);
	// As containerd does: a registry of this machine has plain HTTP, unless its port or its configuration says otherwise.
	if (isLocal && !isInsecure && !config?.tls && !domain.endsWith(':443')) return [{ ...common, base: plain }];
	return [{ ...common, base: secure }, ...(isInsecure ? [{ ...common, base: plain }] : [])];
}

/** The hosts, with their ports, to which plain HTTP is allowed by configuration. */
function httpHosts({ config, insecureRegistries }: EndpointOptions): readonly string[] {
	const mirrors = [...config.mirrors.values()].flatMap(({ endpoints }) => endpoints);
	return [
		...insecureRegistries,
		...mirrors.flatMap(({ protocol, host }) => (protocol === 'http:' ? [host] : [])),
	];
}

/** Whether plain HTTP to the host of `url` is allowed: because it is this machine, or because the user listed it. */
export function allowsPlainHttp(url: URL, hosts: readonly string[]): boolean {
	return isThisMachine(url.hostname) || hosts.includes(url.host) || hosts.includes(url.hostname);
}

function hostConfig(host: string, { hosts }: RegistriesConfig): HostConfig | undefined {
	return hosts.get(host) ?? hosts.get('*');
}

function isListedInsecure(host: string, { insecureRegistries }: EndpointOptions): boolean {
	return insecureRegistries.some((each) => each === host || each === host.replace(/:\d+$/, ''));
}

function tlsOf(
	config: HostConfig | undefined,
	host: string,
	options: EndpointOptions,
): { readonly tls?: TlsSettings } {
	const isInsecure = isListedInsecure(host, options);
	if (!config?.tls && !isInsecure) return {};
	return { tls: { ...config?.tls, ...(isInsecure && { insecureSkipVerify: true }) } };
}
