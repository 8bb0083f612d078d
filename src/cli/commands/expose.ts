import { services } from '../../api/core/service/definition.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew } from '../create/new-object.ts';
import { type Exposed, type ExposedPort, exposedOf } from '../expose/exposable.ts';
import { namedObjects } from '../workloads/named-objects.ts';

/** The flags of `expose`. */
export interface ExposeFlags extends CreateFlags {
	readonly name?: string;
	readonly port?: string;
	readonly targetPort?: string;
	readonly protocol?: string;
	readonly type?: string;
	readonly selector?: string;
	readonly labels?: string;
	readonly clusterIp?: string;
	readonly externalIp?: string;
	readonly loadBalancerIp?: string;
	readonly sessionAffinity?: string;
}

/** The longest name of a Service. */
const MAX_NAME = 63;

/**
 * `stint expose TYPE NAME`: creates a Service for the Pods of an object (upstream: pkg/cmd/expose of k8s.io/kubectl).
 * Resolves to the exit code.
 */
export async function expose(
	context: CliContext,
	words: readonly string[],
	flags: ExposeFlags,
): Promise<number> {
	const connection = await context.connect(flags.kubeconfig);
	// Its --selector is that of the Service.
	const { selector: _, ...choice } = flags;
	let code = 0;
	for (const { definition, object } of await namedObjects(connection, words, choice)) {
		const manifest = serviceFor(object, exposedOf(object, definition), flags);
		const made = { definition: services, manifest, done: 'exposed', manager: 'kubectl-expose' } as const;
		code = (await createNew(context, made, flags)) || code;
	}
	return code;
}

function serviceFor(
	{ metadata }: KubeObject,
	exposed: Exposed,
	flags: ExposeFlags,
): JsonRecord & { readonly metadata: JsonRecord } {
	const { clusterIp = '', externalIp = '', loadBalancerIp = '', type = '' } = flags;
	const labels = flags.labels ? pairsIn(flags.labels) : metadata.labels;
	const spec = {
		ports: portsOf(exposed.ports, flags),
		selector: selectorOf(exposed, flags.selector),
		...(clusterIp !== '' && { clusterIP: clusterIp }),
		...(type !== '' && { type }),
		...(externalIp !== '' && { externalIPs: [externalIp] }),
		...affinityOf(flags.sessionAffinity),
		...(type === 'LoadBalancer' && loadBalancerIp !== '' && { loadBalancerIP: loadBalancerIp }),
	};
	const name = flags.name || (metadata.name ?? '').slice(0, MAX_NAME);
	return { metadata: { name, ...(labels && { labels }) }, spec, status: {} };
}

function selectorOf({ selector }: Exposed, given = ''): Readonly<Record<string, string>> {
	if (given !== '') return pairsIn(given);
	if (typeof selector !== 'string') return selector;
	throw new CommandError(`couldn't retrieve selectors via --selector flag or introspection: ${selector}`);
}

/** The labels in a text such as `a=b,c=d`. */
function pairsIn(text: string): Readonly<Record<string, string>> {
	const pairs = text.split(',').map((pair) => {
		const [key = '', value, ...more] = pair.split('=');
		if (value === undefined || more.length > 0 || key === '')
			throw new CommandError(`unexpected label spec: ${pair}`);
		return [key, value] as const;
	});
	return Object.fromEntries(pairs);
}

/** The ports of the flag, or those of the object. Several ports have numbered names, and so have protocols of one. */
function portsOf(found: readonly ExposedPort[], flags: ExposeFlags): readonly JsonRecord[] {
	const numbers = portNumbers(found, flags);
	const isSingle = numbers.length === 1;
	return numbers.flatMap((port, index) => {
		const own = [...new Set(found.filter((each) => each.port === port).map(({ protocol }) => protocol))];
		const protocols = flags.protocol ? [flags.protocol.toUpperCase()] : own.length === 0 ? ['TCP'] : own;
		return protocols.map((protocol) => {
			const suffix = protocols.length > 1 ? `-${protocol.toLowerCase()}` : '';
			const isNamed = !isSingle || suffix !== '';
			const name = `port-${index + 1}${suffix}`;
			return { ...(isNamed && { name }), protocol, port, targetPort: targetOf(flags.targetPort, port) };
		});
	});
}

function portNumbers(
	found: readonly ExposedPort[],
	{ port = '', clusterIp }: ExposeFlags,
): readonly number[] {
	if (port !== '') {
		return port.split(',').map((text) => {
			if (/^\d+$/.test(text)) return Number(text);
			throw new CommandError(`strconv.Atoi: parsing "${text}": invalid syntax`);
		});
	}
	const numbers = [...new Set(found.map((each) => each.port))];
	if (numbers.length > 0 || clusterIp === 'None') return numbers;
	throw new CommandError("couldn't find port via --port flag or introspection");
}

function targetOf(text: string | undefined, port: number): number | string {
	if (text === undefined || text === '') return port;
	return /^\d+$/.test(text) ? Number(text) : text;
}

function affinityOf(text = ''): JsonRecord {
	if (text === '') return {};
	if (text === 'None' || text === 'ClientIP') return { sessionAffinity: text };
	throw new CommandError(`unknown session affinity: ${text}`);
}
