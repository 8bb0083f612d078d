import type { DnsService } from './zone.ts';

/** An address and its names, as in a line of `/etc/hosts`. */
export interface HostNames {
	readonly address: string;
	readonly names: readonly string[];
}

/**
 * The names of Services for the hosts file of a Pod in `namespace`, on a node that has no DNS server for them: what DNS
 * answers with an address. Aliases of other names and the numbers of ports cannot be in such a file.
 */
export function hostNamesOf(
	services: readonly DnsService[],
	{ namespace, domain }: { readonly namespace: string; readonly domain: string },
): readonly HostNames[] {
	return services.flatMap((service) => {
		const names = namesOf(service, { namespace, domain });
		if (service.clusterIP !== undefined) return [{ address: service.clusterIP, names }];
		return service.endpoints.map(({ address, hostname }) => ({
			address,
			names: hostname === undefined ? names : [...names.map((name) => `${hostname}.${name}`), ...names],
		}));
	});
}

/** The names by which the search list of a Pod finds the Service, the longest first. */
function namesOf(
	service: DnsService,
	{ namespace, domain }: { readonly namespace: string; readonly domain: string },
): readonly string[] {
	const short = `${service.name}.${service.namespace}`;
	const names = [`${short}.svc.${domain}`, `${short}.svc`, short];
	return service.namespace === namespace ? [...names, service.name] : names;
}
