import { cleanPath } from './proxied-path.ts';

/** The place of a page behind the proxy. */
export interface ProxyPlace {
	/** The path of the subresource, which goes in front of absolute paths. */
	readonly prefix: string;
	/** Host and port of the backend. */
	readonly backendHost: string;
	/** The Host header of the request. */
	readonly requestHost: string;
}

/** Scheme, authority, path, and the rest with query and fragment. All parts are optional. */
const URL_PARTS = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/**
 * A link of a page, or the target of a redirect, so that it leads through the proxy: an absolute path, or a URL of the
 * backend or of the host that the request names. Other URLs and relative ones stay as they are (upstream:
 * Transport.rewriteURL in apimachinery/pkg/util/proxy).
 */
export function proxiedUrl(target: string, { prefix, backendHost, requestHost }: ProxyPlace): string {
	const [, scheme = '', host = '', path = '', rest = ''] = URL_PARTS.exec(target) ?? [];
	const isOther = host !== '' && host !== backendHost && host !== requestHost;
	if (isOther || !path.startsWith('/')) return target;
	// A page that was told the name of the server uses it on purpose.
	const origin = host !== '' && host === requestHost ? `${scheme === '' ? '' : `${scheme}:`}//${host}` : '';
	if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
	return `${origin}${prefix}${cleanPath(path)}${rest}`;
}
