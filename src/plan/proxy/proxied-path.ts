/** The path of a request to a subresource `proxy`, as both sides see it. */
export interface ProxiedPath {
	/** The path of the subresource, as the client wrote it: `/api/v1/namespaces/default/pods/p:80/proxy`. */
	readonly prefix: string;
	/**
	 * The path that the backend gets, without dot segments and repeated slashes. Empty if the request has nothing after
	 * `proxy`, not even a slash.
	 */
	readonly path: string;
}

/**
 * Splits the path of a request; `rest` is what follows the subresource. Percent-encoded characters stay as they are,
 * where upstream decodes an encoded slash.
 */
export function proxiedPath(path: string, rest: string): ProxiedPath {
	const parts = partsOf(path);
	const prefix = `/${parts.slice(0, parts.length - partsOf(rest).length).join('/')}`;
	if (rest === '') return { prefix, path: path.endsWith('/') ? '/' : '' };
	return { prefix, path: cleanPath(path.endsWith('/') ? `${rest}/` : rest) };
}

/** The absolute path without dot segments and repeated slashes; a slash at its end stays. */
export function cleanPath(path: string): string {
	const kept: string[] = [];
	for (const part of partsOf(path)) {
		if (part === '..') kept.pop();
		else if (part !== '.') kept.push(part);
	}
	return `/${kept.join('/')}${path.endsWith('/') && kept.length > 0 ? '/' : ''}`;
}

function partsOf(path: string): string[] {
	return path.split('/').filter((part) => part !== '');
}
