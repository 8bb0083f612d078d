import { RegistryError } from './registry-error.ts';

/** What is known when a request for an image failed. */
export interface FailureContext {
	/** The registry as the image's name has it. */
	readonly domain: string;
	/** The file that has mirrors. */
	readonly registriesPath: string;
	/** From where the refused credential came; undefined if there was none. */
	readonly origin?: string;
	/** Why other credentials could not be read. */
	readonly problems: readonly string[];
}

/** The same error with a hint, if this program knows what its user can do. */
export function withAdvice(error: RegistryError, context: FailureContext): RegistryError {
	return error.hinted(hintFor(error, context));
}

/** The first row that applies. */
function hintFor({ kind, message }: RegistryError, context: FailureContext): string | undefined {
	const { domain, origin, registriesPath } = context;
	const isHub = domain === 'docker.io';
	const mirror = (url: string): string =>
		`mirrors: {${JSON.stringify(domain)}: {endpoint: [${JSON.stringify(url)}]}}`;
	const config = (tls: string): string => `configs: {${JSON.stringify(domain)}: {tls: {${tls}}}}`;
	const port = /:\d+$/.exec(domain)?.[0] ?? '';
	if (kind === 'unreachable') {
		if (message.includes('certificate signed by unknown authority'))
			return `If you trust ${domain}, name its certificate authority in ${registriesPath}: ${config('ca_file: /path/to/ca.pem')}`;
		if (message.includes('x509:')) return `The certificate of ${domain} is not valid for this name or time.`;
		if (message.includes('server gave HTTP response'))
			return `${domain} speaks plain HTTP. If you trust the network, write in ${registriesPath}: ${mirror(`http://${domain}`)}`;
		if (message.includes('lookup')) {
			const where = isHub ? 'https://mirror.example.com' : `http://127.0.0.1${port}`;
			const proxy = isHub ? 'If this machine needs a proxy, set HTTPS_PROXY. ' : '';
			return `${proxy}To take the image from elsewhere, write in ${registriesPath}: ${mirror(where)}`;
		}
		if (message.includes('connection refused'))
			return `Nothing listens at ${domain}. Is the registry running?`;
		return undefined;
	}
	if (kind === 'denied') return deniedHint(context, isHub);
	if (kind === 'rate-limited' && !origin)
		return `Log in, which raises the limit (docker login${isHub ? '' : ` ${domain}`}, or imagePullSecrets), or write a mirror in ${registriesPath}: ${mirror('https://mirror.example.com')}`;
	return undefined;
}

function deniedHint({ domain, origin, problems }: FailureContext, isHub: boolean): string {
	const login = `docker login${isHub ? '' : ` ${domain}`}`;
	if (origin)
		return `The credentials of ${origin} do not permit it. Renew them, or remove them if the image is public.`;
	const advice = `If the image exists, it needs credentials: ${login}, or a Secret in imagePullSecrets.`;
	return [advice, ...problems].join(' ');
}

/** The error of a pull, with the beginning that containerd gives it. `reference` is the whole name of the image. */
export function pullFailure(reference: string, error: Error): RegistryError {
	const known =
		error instanceof RegistryError ? error : new RegistryError(error.message, { kind: 'invalid' });
	return known.prefixed(`failed to pull and unpack image "${reference}"`);
}
