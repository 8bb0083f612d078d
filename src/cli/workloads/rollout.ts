/** `stint rollout`: shows and controls the rollouts of Deployments, as kubectl does (pkg/cmd/rollout). */

import { deployments } from '../../api/apps/deployment/definition.ts';
import type { Deployment } from '../../api/apps/deployment/schema.ts';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { isOfKind } from '../../api/contract/resource-definition.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { formatTime } from '../../api/meta/time.ts';
import { followWatch } from '../../client/follow-watch.ts';
import { rolloutRevisionOf } from '../../plan/deployment/annotations.ts';
import { isSameTemplate } from '../../plan/deployment/template-hash.ts';
import { parseInt64Flag } from '../args/parsed-flag.ts';
import { displayName } from '../args/resource-args.ts';
import { type CliContext, CommandError, type Connection } from '../context.ts';
import { timeoutOf } from '../delete/deletion-flags.ts';
import { templateLines } from '../describe/pod.ts';
import { alignText } from '../print/aligned-text.ts';
import { type ChoiceFlags, namedObjects, quotedName } from './named-objects.ts';
import { rollbackPatch, setOfRevision } from './rollback.ts';
import { rolloutState } from './rollout-state.ts';

/** The flags of all subcommands. */
export interface RolloutFlags extends ChoiceFlags {
	readonly revision?: string;
	readonly toRevision?: string;
	/** False with --watch=false. */
	readonly watch?: boolean | string;
	readonly timeout?: string;
}

/** The Deployments that the arguments name. Throws a CommandError, made by `refusal`, for another kind. */
async function deploymentsOf(
	connection: Connection,
	words: readonly string[],
	{
		flags,
		refusal,
	}: { readonly flags: RolloutFlags; readonly refusal: (kind: string, name: string) => string },
): Promise<readonly Deployment[]> {
	const found = await namedObjects(connection, words, flags);
	return found.map((each) => {
		if (isOfKind(each.object, deployments)) return each.object;
		const { group, kind } = each.definition;
		throw new CommandError(refusal(group === '' ? kind : `${kind}.${group}`, quotedName(each)));
	});
}

/** The revision that `rollout status` or `rollout history` shows; 0: whichever is the current one, or all. */
function shownRevision({ revision: text = '0' }: RolloutFlags, name: string): bigint {
	const revision = parseInt64Flag(text, { flag: '--revision', command: `rollout ${name}` });
	if (revision >= 0n) return revision;
	throw new CommandError(`revision must be a positive integer: ${revision}`);
}

/** `rollout status`: prints how far the rollout is, until it is complete. Resolves to the exit code. */
export async function awaitRollout(
	context: CliContext,
	words: readonly string[],
	flags: RolloutFlags,
): Promise<number> {
	const revision = shownRevision(flags, 'status');
	const timeoutMs = timeoutOf(flags, 'rollout status');
	const watches = flags.watch === undefined || String(flags.watch) !== 'false';
	const connection = await context.connect(flags.kubeconfig);
	const refusal = (kind: string): string => `no status viewer has been implemented for ${kind.split('.')[0]}`;
	const timeout = new AbortController();
	const timer =
		timeoutMs === undefined ? undefined : context.clock.setTimer(timeoutMs, () => timeout.abort());
	try {
		for (const deployment of await deploymentsOf(connection, words, { flags, refusal })) {
			const { text, isDone } = rolloutState(deployment, revision);
			context.stdout.print(`${text}\n`);
			if (isDone || !watches) continue;
			const isComplete = await follow(context, connection, { deployment, revision, signal: timeout.signal });
			if (!isComplete) throw new CommandError('timed out waiting for the condition');
		}
		return 0;
	} finally {
		timer?.cancel();
	}
}

interface Followed {
	/** The version whose state was printed. */
	readonly deployment: Deployment;
	readonly revision: bigint;
	readonly signal: AbortSignal;
}

/** Prints the state after each change. Resolves to true once the rollout is complete, to false if `signal` aborts. */
async function follow(
	{ stdout }: CliContext,
	{ client }: Connection,
	{ deployment, revision, signal }: Followed,
): Promise<boolean> {
	const { namespace, name } = deployment.metadata;
	const target = client.resource(deployments, namespace);
	const fieldSelector = `metadata.name=${name}`;
	let { resourceVersion = '' } = deployment.metadata;
	let failure: unknown;
	while (!signal.aborted) {
		const isEnded = await followWatch<Deployment>({
			open: (sink, stop) => target.watch({ fieldSelector, resourceVersion }, sink, { signal: stop }),
			events: (batch) => {
				try {
					for (const { type, object } of batch) {
						resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
						if (type === 'BOOKMARK') continue;
						if (type === 'DELETED') throw new CommandError('object has been deleted');
						const { text, isDone } = rolloutState(object, revision);
						stdout.print(`${text}\n`);
						if (isDone) return true;
					}
					return false;
				} catch (error) {
					failure = error;
					return true;
				}
			},
			signal,
		});
		if (failure !== undefined) throw failure;
		if (isEnded) return true;
	}
	return false;
}

/** The ReplicaSets of the Deployment. */
async function setsOf(
	{ client }: Connection,
	{ metadata, spec }: Deployment,
): Promise<readonly ReplicaSet[]> {
	const labelSelector = labelSelectorText(spec.selector);
	const { items } = await client.resource(replicaSets, metadata.namespace).list({ labelSelector });
	return items.filter((set) => controllerOf(set)?.uid === metadata.uid);
}

const CHANGE_CAUSE = 'kubernetes.io/change-cause';

/** `rollout history`: prints the revisions of a Deployment, or the template of one. Resolves to the exit code. */
export async function rolloutHistory(
	context: CliContext,
	words: readonly string[],
	flags: RolloutFlags,
): Promise<number> {
	const revision = shownRevision(flags, 'history');
	const connection = await context.connect(flags.kubeconfig);
	const refusal = (kind: string): string => `no history viewer has been implemented for "${kind}"`;
	for (const deployment of await deploymentsOf(connection, words, { flags, refusal })) {
		const name = displayName(deployments, deployment);
		const sets = await setsOf(connection, deployment);
		const title = revision > 0n ? `${name} with revision #${revision}` : `${name} `;
		context.stdout.print(`${title}\n${historyText(sets, revision)}\n`);
	}
	return 0;
}

function historyText(sets: readonly ReplicaSet[], revision: bigint): string {
	const byRevision = new Map<bigint, ReplicaSet>();
	for (const set of sets) {
		const own = rolloutRevisionOf(set);
		if (own !== undefined) byRevision.set(own, set);
	}
	if (byRevision.size === 0) return 'No rollout history found.';
	if (revision === 0n) {
		const rows = [...byRevision]
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([own, { metadata }]) => `${own}\t${metadata.annotations?.[CHANGE_CAUSE] || '<none>'}\n`);
		return alignText(`REVISION\tCHANGE-CAUSE\n${rows.join('')}`, { minWidth: 0, padding: 2 });
	}
	const set = byRevision.get(revision);
	if (!set) throw new CommandError('unable to find the specified revision');
	const cause = set.metadata.annotations?.[CHANGE_CAUSE];
	const { template } = set.spec;
	const annotations = { ...template.metadata?.annotations, ...(cause && { [CHANGE_CAUSE]: cause }) };
	const isAnnotated = Object.keys(annotations).length > 0;
	const metadata = { ...template.metadata, ...(isAnnotated && { annotations }) };
	return templateLines({ ...template, metadata })
		.map((line) => `${line}\n`)
		.join('');
}

/** `rollout undo`: gives a Deployment the template of an earlier revision. Resolves to the exit code. */
export async function rolloutUndo(
	context: CliContext,
	words: readonly string[],
	flags: RolloutFlags,
): Promise<number> {
	const flag = { flag: '--to-revision', command: 'rollout undo' };
	const revision = parseInt64Flag(flags.toRevision ?? '0', flag);
	if (revision < 0n) throw new CommandError(`unable to find specified revision ${revision} in history`);
	const connection = await context.connect(flags.kubeconfig);
	const refusal = (kind: string): string => `no rollbacker has been implemented for "${kind}"`;
	for (const deployment of await deploymentsOf(connection, words, { flags, refusal })) {
		const { name = '', namespace } = deployment.metadata;
		const set = setOfRevision(deployment, await setsOf(connection, deployment), revision);
		if (deployment.spec.paused)
			throw new CommandError(
				`you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/${name}' and try again`,
			);
		const isSame = isSameTemplate(set.spec.template, deployment.spec.template);
		if (!isSame)
			await connection.client
				.resource(deployments, namespace)
				.patch(name, 'json', rollbackPatch(deployment, set));
		const result = isSame
			? `skipped rollback (current template already matches revision ${revision})`
			: 'rolled back';
		context.stdout.print(`${displayName(deployments, deployment)} ${result}\n`);
	}
	return 0;
}

/** A change of the spec of a Deployment by a subcommand. */
interface Change {
	/** What the subcommand does to an object, for errors: `pausing`. */
	readonly act: string;
	/** What was done to it, for the output: `paused`. */
	readonly done: string;
	/** The patch of the spec, or why there is none. */
	specOf(deployment: Deployment, now: number): object | string;
}

/** The annotation of a template by which a restart makes it another one. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

const CHANGES = {
	pause: {
		act: 'pausing',
		done: 'paused',
		specOf: ({ spec }) => (spec.paused ? 'is already paused' : { paused: true }),
	},
	resume: {
		act: 'resuming',
		done: 'resumed',
		specOf: ({ spec }) => (spec.paused ? { paused: false } : 'is not paused'),
	},
	restart: {
		act: 'restarting',
		done: 'restarted',
		specOf: ({ spec }, now) => {
			if (spec.paused) return "can't restart paused deployment (run rollout resume first)";
			const at = formatTime(now);
			// Another restart in the same second would change nothing.
			if (spec.template.metadata?.annotations?.[RESTARTED_AT] === at)
				return 'if restart has already been triggered within the past second, please wait before attempting to trigger another';
			return { template: { metadata: { annotations: { [RESTARTED_AT]: at } } } };
		},
	},
} as const satisfies Readonly<Record<string, Change>>;

/** `rollout pause`, `rollout resume` and `rollout restart`. Resolves to the exit code. */
export async function changeRollouts(
	context: CliContext,
	{ change, words }: { readonly change: keyof typeof CHANGES; readonly words: readonly string[] },
	flags: RolloutFlags,
): Promise<number> {
	const { act, done, specOf }: Change = CHANGES[change];
	const connection = await context.connect(flags.kubeconfig);
	const refusal = (_kind: string, name: string): string => `${name} ${act} is not supported`;
	let failed = false;
	for (const deployment of await deploymentsOf(connection, words, { flags, refusal })) {
		const { name = '', namespace } = deployment.metadata;
		const spec = specOf(deployment, context.clock.now());
		if (typeof spec === 'string') {
			failed = true;
			context.stderr.print(`error: ${quotedName({ definition: deployments, object: deployment })} ${spec}\n`);
			continue;
		}
		await connection.client.resource(deployments, namespace).patch(name, 'strategic', { spec });
		context.stdout.print(`${displayName(deployments, deployment)} ${done}\n`);
	}
	return failed ? 1 : 0;
}
