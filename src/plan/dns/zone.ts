/**
 * The DNS records of Services and Pods: the Kubernetes DNS-based service discovery, version 1.1.0, as CoreDNS answers it.
 *
 *     <service>.<namespace>.svc.<domain>                     A: the ClusterIP, or the endpoints of a headless Service;
 *                                                            CNAME for an ExternalName
 *     _<port>._<protocol>.<service>.<namespace>.svc.<domain> SRV, for each named port
 *     <hostname>.<service>.<namespace>.svc.<domain>          A: an endpoint of a headless Service
 *     <a>-<b>-<c>-<d>.<namespace>.pod.<domain>               A: a.b.c.d, for any Pod address
 *     <d>.<c>.<b>.<a>.in-addr.arpa                           PTR: the Service or endpoint that has the address
 */

/** A record: its name is that of the list that contains it. */
export type DnsRecord =
	| { readonly type: 'A'; readonly address: string }
	| { readonly type: 'CNAME' | 'PTR'; readonly target: string }
	| { readonly type: 'SRV'; readonly port: number; readonly target: string }
	| { readonly type: 'TXT'; readonly text: string };

/** An endpoint of a headless Service that is ready, or published although it is not. */
export interface DnsEndpoint {
	readonly address: string;
	/** The hostname of a Pod that asks for one; undefined: its name is made of its address. */
	readonly hostname: string | undefined;
	/** Its ports that have a name. */
	readonly ports: readonly DnsPort[];
}

/** A named port. */
export interface DnsPort {
	readonly name: string;
	/** In lower case: `tcp`. */
	readonly protocol: string;
	readonly port: number;
}

/** What DNS tells about a Service. */
export interface DnsService {
	readonly namespace: string;
	readonly name: string;
	/** The ClusterIP; undefined for a headless Service. */
	readonly clusterIP: string | undefined;
	/** The target of an ExternalName; undefined for others. */
	readonly externalName: string | undefined;
	/** The named ports of a Service with a ClusterIP. */
	readonly ports: readonly DnsPort[];
	/** The endpoints of a headless Service. */
	readonly endpoints: readonly DnsEndpoint[];
}

/** The records of a domain. */
export interface DnsZone {
	/** `cluster.local`. */
	readonly domain: string;
	/** By name in lower case without a final dot. A name without records has records below it. */
	readonly records: Readonly<Record<string, readonly DnsRecord[]>>;
	/** The namespaces, below which Pods have names. */
	readonly namespaces: readonly string[];
}

/** The version of the specification, which `dns-version.<domain>` tells. */
const VERSION = '1.1.0';

/** The zone of `domain` with the records of these Services. */
export function dnsZoneOf(
	domain: string,
	services: readonly DnsService[],
	namespaces: readonly string[],
): DnsZone {
	const records = new Map<string, DnsRecord[]>();
	const add = (name: string, record: DnsRecord): void => {
		const list = records.get(name);
		if (list) list.push(record);
		else records.set(name, [record]);
	};
	add(`dns-version.${domain}`, { type: 'TXT', text: VERSION });
	for (const service of services) addService(domain, service, add);
	addParents(domain, records);
	return { domain, records: Object.fromEntries(records), namespaces };
}

type Add = (name: string, record: DnsRecord) => void;

function addService(domain: string, service: DnsService, add: Add): void {
	const { namespace, name, clusterIP, externalName, ports, endpoints } = service;
	const own = `${name}.${namespace}.svc.${domain}`;
	if (externalName !== undefined) {
		add(own, { type: 'CNAME', target: externalName.replace(/\.$/, '') });
		return;
	}
	if (clusterIP !== undefined) {
		add(own, { type: 'A', address: clusterIP });
		add(reverseName(clusterIP), { type: 'PTR', target: own });
		for (const port of ports) add(portName(port, own), { type: 'SRV', port: port.port, target: own });
		return;
	}
	for (const { address, hostname, ports: offered } of endpoints) {
		const endpoint = `${hostname ?? address.replaceAll('.', '-')}.${own}`;
		add(own, { type: 'A', address });
		add(endpoint, { type: 'A', address });
		add(reverseName(address), { type: 'PTR', target: endpoint });
		for (const port of offered) add(portName(port, own), { type: 'SRV', port: port.port, target: endpoint });
	}
}

function portName({ name, protocol }: DnsPort, service: string): string {
	return `_${name}._${protocol}.${service}`;
}

function reverseName(address: string): string {
	return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
}

/** Names between a record and the domain exist although they have no records themselves (RFC 8020). */
function addParents(domain: string, records: Map<string, DnsRecord[]>): void {
	for (const name of [...records.keys()]) {
		if (!name.endsWith(`.${domain}`)) continue;
		for (let at = name; at !== domain; ) {
			at = at.slice(at.indexOf('.') + 1);
			if (records.has(at)) break;
			records.set(at, []);
		}
	}
}

/** What a zone says to a question. */
export interface DnsAnswer {
	/** `NXDOMAIN` if the name does not exist. */
	readonly code: 'NOERROR' | 'NXDOMAIN';
	/** The records of the type that was asked for, or the alias; each is of the name of the question. */
	readonly records: readonly DnsRecord[];
}

/**
 * The answer of `zone` to a question; undefined if the name is not the zone's, and other servers know it. `name` may have
 * capitals and a final dot.
 */
export function dnsAnswerOf(zone: DnsZone, name: string, type: string): DnsAnswer | undefined {
	const wanted = name.toLowerCase().replace(/\.$/, '');
	const isInside = wanted === zone.domain || wanted.endsWith(`.${zone.domain}`);
	const known = Object.hasOwn(zone.records, wanted) ? zone.records[wanted] : podRecords(zone, wanted);
	if (!isInside && !known) return undefined;
	if (!known) return { code: wanted === zone.domain ? 'NOERROR' : 'NXDOMAIN', records: [] };
	const records = known.filter((each) => type === 'ANY' || each.type === type || each.type === 'CNAME');
	return { code: 'NOERROR', records };
}

/** `10-244-0-5.default.pod.cluster.local`: of any address, without a look whether a Pod has it, as CoreDNS's `pods insecure`. */
function podRecords({ domain, namespaces }: DnsZone, name: string): readonly DnsRecord[] | undefined {
	const suffix = `.pod.${domain}`;
	if (name === suffix.slice(1)) return [];
	if (!name.endsWith(suffix)) return undefined;
	const [dashed = '', namespace = '', ...more] = name.slice(0, -suffix.length).split('.');
	if (namespace === '') return namespaces.includes(dashed) ? [] : undefined;
	if (more.length > 0 || !namespaces.includes(namespace)) return undefined;
	const address = dashed.replaceAll('-', '.');
	return isIPv4(address) ? [{ type: 'A', address }] : undefined;
}

function isIPv4(text: string): boolean {
	const parts = text.split('.');
	return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
}
