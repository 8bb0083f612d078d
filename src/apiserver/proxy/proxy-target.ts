import type { Duplex } from '../../api/contract/duplex.ts';
import { attempt } from '../../base/attempt.ts';
import { parsePath } from '../route.ts';

/** Where the requests to a subresource `proxy` go: a port of a Pod. */
export interface ProxyTarget {
	/** The address of the Pod and the port, for messages and for the links of pages: `10.0.0.1:8080`. */
	readonly host: string;
	readonly isTls: boolean;
	/** What follows the subresource in the path of the request. */
	readonly rest: string;
	/**
	 * Connects to the port; see NodeApi.portForward. Rejects with an ApiError whose message is that of Go's net.Dial
	 * where there is one.
	 */
	connect(): Promise<Duplex>;
}

/** The resources whose subresource `proxy` leads to a Pod. */
const PROXIED: readonly string[] = ['pods', 'services'];

/** Whether requests for a path are passed on to a Pod, with all methods and with their bodies as they are. */
export function isProxyPath(path: string): boolean {
	// Nearly all paths end here.
	if (!path.includes('/proxy')) return false;
	const parsed = attempt(() => parsePath(path));
	return parsed?.group === '' && parsed.subresource === 'proxy' && PROXIED.includes(parsed.resource);
}
