import type { HttpListener } from '../../apiserver/http/listener.ts';
import { type AddressRange, addressText } from '../../plan/services/allocation/ranges.ts';
import type { ControlPlaneOptions } from './control-plane.ts';

/** The open listener of the API server, and the certificate of its authority. */
export interface OpenedListener {
	readonly listener: Pick<HttpListener, 'url'>;
	readonly caPem: string;
}

/** The options of the control plane that depend on the listener. */
export function listenerOptions(
	{ listener, caPem }: OpenedListener,
	range: AddressRange,
): Pick<ControlPlaneOptions, 'rootCertificatePem' | 'apiServer'> {
	const { hostname: ip, port } = new URL(listener.url);
	const apiServer = { clusterIp: addressText(range.first), listener: { ip, port: Number(port) } };
	return { rootCertificatePem: caPem, apiServer };
}
