/**
 * What kube-proxy and CoreDNS are to a cluster: it forwards the ports of Services to their endpoints, and answers for
 * their names. For the only node of a cluster, in the network of the machine.
 *
 * Read in this order: plan/service-proxy and plan/dns decide; proxy/service-proxies.ts has the listeners, tcp-proxy.ts and
 * udp-proxy.ts the connections; dns/dns-server.ts the questions, resolver.ts those about other names.
 *
 * 1. It is a client of the API like any other. When the API is silent, what was last known is served.
 * 2. A port that cannot be listened on is reported, and tried again. The other ports do not wait for it.
 */
import { namespaces } from '../../api/core/namespace/definition.ts';
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import { endpointSlices } from '../../api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { Informer, splitKey } from '../../client/informer.ts';
import { allSynced } from '../../client/informers.ts';
import { dnsServicesOf } from '../../plan/dns/dns-services.ts';
import { type HostNames, hostNamesOf } from '../../plan/dns/host-names.ts';
import { type DnsService, dnsZoneOf } from '../../plan/dns/zone.ts';
import { proxiedPortsOf } from '../../plan/service-proxy/proxied-ports.ts';
import { servicesWithSlices } from '../../plan/service-proxy/service-endpoints.ts';
import type { PodSockets } from '../../runtime/pod-sockets.ts';
import { DnsServer } from './dns/dns-server.ts';
import type { DnsAddress } from './dns/resolver.ts';
import { LocalClients } from './local-clients.ts';
import { ServiceProxies } from './proxy/service-proxies.ts';

/** The parts and settings of a {@link ServiceNetwork}. */
export interface ServiceNetworkOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	readonly sockets: PodSockets;
	/** The domain of the cluster: `cluster.local`. */
	readonly domain: string;
	/** The addresses at which node ports listen. */
	readonly nodeAddresses: readonly string[];
	/** Where the DNS server listens. */
	readonly dns: DnsAddress;
	/** The addresses of Services, such as `10.96.0.0/16`. */
	readonly serviceRange: string;
	/** Whether Pods reach the API server by its Service alone, as those with networks of their own do. */
	readonly leadsToApiServer: boolean;
	/** How many TCP connections to Services may be open at once. */
	readonly mostConnections: number;
	/** The DNS servers of the machine. */
	resolvers(): Promise<readonly DnsAddress[]>;
	/** Called when what {@link ServiceNetwork.hostNames} returns has changed. */
	onNames(): void;
	/** Receives what cannot be served, as a sentence, and the Service if it is about one. */
	onRefused(message: string, service?: Service): void;
	onError(key: string, error: unknown): void;
}

/** The Service of the API server. */
const API_SERVER = 'default/kubernetes';

/** See the header of this file. */
export class ServiceNetwork {
	readonly #options: ServiceNetworkOptions;
	readonly #services: Informer<Service>;
	readonly #slices: Informer<EndpointSlice>;
	readonly #namespaces: Informer<Namespace>;
	readonly #proxies: ServiceProxies;
	readonly #clients: LocalClients;
	#dns: DnsServer | undefined;
	#known: readonly DnsService[] = [];
	/** True until it is known whether there is a DNS server that the first Pods need. */
	#awaitsDns: boolean;
	/** Whether a change waits to be applied in the next turn. */
	#isDue = false;
	/** Why there is no DNS server; reported with the first Service that has a name to serve. */
	#dnsRefusal: string | undefined;

	constructor(options: ServiceNetworkOptions) {
		this.#options = options;
		const { client, clock, random, onError, onRefused } = options;
		const settings = (key: string) => ({ clock, random, onError: (error: unknown) => onError(key, error) });
		this.#services = new Informer(client.resource(services), settings('services'));
		this.#slices = new Informer(client.resource(endpointSlices), settings('endpointslices'));
		this.#namespaces = new Informer(client.resource(namespaces), settings('namespaces'));
		this.#clients = new LocalClients(options);
		this.#awaitsDns = options.leadsToApiServer;
		this.#proxies = new ServiceProxies({
			clock,
			random,
			mostConnections: options.mostConnections,
			sockets: options.sockets,
			serves: (address) => this.#clients.serves(address),
			onRefused: ({ service, port, address }, error) => {
				// Programs in the network of this machine find the API server by their variables, which do not lead to this address.
				if (service === API_SERVER && !options.leadsToApiServer) return;
				const { namespace, name } = splitKey(service);
				onRefused(
					`the port ${port} of the Service ${service} is not served at ${address}: ${messageOf(error)}${remedyFor(error)}`,
					this.#services.get(namespace, name),
				);
			},
		});
	}

	/**
	 * The addresses of DNS servers for Pods; empty while there is none, or no Service but one of the API server that no Pod
	 * needs: then Pods keep the resolvers of the machine, which answer while this server is stopped too.
	 */
	get dnsAddresses(): readonly string[] {
		if (this.#awaitsDns) return [this.#options.dns.address];
		return this.#dns && this.#hasServices ? [this.#options.dns.address] : [];
	}

	/** The names of Services for the hosts files of a namespace; empty if there is a DNS server. */
	hostNames(namespace: string): readonly HostNames[] {
		if (this.#dns || !this.#hasServices) return [];
		return hostNamesOf(this.#known, { namespace, domain: this.#options.domain });
	}

	get #hasServices(): boolean {
		if (this.#options.leadsToApiServer) return true;
		return this.#known.some((service) => `${service.namespace}/${service.name}` !== API_SERVER);
	}

	/** Serves until `signal` aborts. */
	async run(signal: AbortSignal): Promise<void> {
		const informers = [this.#services, this.#slices, this.#namespaces] as const;
		try {
			const following = runTogether(
				informers.map((informer) => (stop: AbortSignal) => informer.run(stop)),
				signal,
			);
			if (await allSynced(informers)) {
				this.#dns = await this.#openDns();
				this.#awaitsDns = false;
				for (const informer of informers) informer.subscribe(() => this.#changed());
				this.#changed();
			}
			await following;
		} finally {
			this.#dns?.close();
			await this.#proxies.close();
		}
	}

	/** The DNS server; undefined if it may not listen, as an ordinary user may not at a low port. */
	async #openDns(): Promise<DnsServer | undefined> {
		const { dns, clock, sockets, resolvers } = this.#options;
		const server = new DnsServer({
			...dns,
			clock,
			sockets,
			resolvers,
			serves: (address) => this.#clients.serves(address),
		});
		try {
			await server.open();
			return server;
		} catch (error) {
			server.close();
			this.#dnsRefusal = `the names of Services are only in the hosts files of Pods, since DNS is not served at ${dns.address}:${dns.port}: ${messageOf(error)}`;
			return undefined;
		}
	}

	/** Applies all changes of this turn at once. */
	#changed(): void {
		if (this.#isDue) return;
		this.#isDue = true;
		setImmediate(() => {
			this.#isDue = false;
			this.#apply();
		});
	}

	#apply(): void {
		const { domain, nodeAddresses, onError, onRefused, onNames } = this.#options;
		const known = servicesWithSlices(this.#services.all(), this.#slices.all());
		const hadNames = this.#hasServices;
		const before = this.#known;
		this.#known = dnsServicesOf(known);
		if (this.#dnsRefusal !== undefined && this.#hasServices) {
			onRefused(this.#dnsRefusal);
			this.#dnsRefusal = undefined;
		}
		this.#proxies
			.set(proxiedPortsOf(known, nodeAddresses))
			.catch((error: unknown) => onError('proxy', error));
		const names = [...this.#namespaces.all()].map(({ metadata }) => metadata.name ?? '');
		this.#dns?.setZone(dnsZoneOf(domain, this.#known, names));
		const isShown = !this.#dns && (hadNames || this.#hasServices);
		if (isShown && JSON.stringify(before) !== JSON.stringify(this.#known)) onNames();
	}
}

/** What lets an ordinary user's server listen at a low port, if that is what failed. */
function remedyFor(error: Error): string {
	if (codeOf(error) !== 'EACCES') return '';
	return ' (an ordinary user may not listen there: give Pods networks of their own with --pod-network pod and create the Service again, or lower net.ipv4.ip_unprivileged_port_start)';
}
