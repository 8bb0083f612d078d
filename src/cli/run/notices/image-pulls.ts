import { events } from '../../../api/core/event/definition.ts';
import type { Event } from '../../../api/core/event/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import { Informer } from '../../../client/informer.ts';
import type { FollowerOptions } from '../follower.ts';
import { runsHostPrograms } from '../node-runtime.ts';

/** Where the Events of a run's Pods are. */
export interface ImagePullsOptions
	extends Pick<FollowerOptions, 'connection' | 'clock' | 'created' | 'signal'> {
	/** Of the object that the run follows. */
	readonly metadata: ObjectMeta;
	/** Called when a pull begins. */
	readonly onChange: () => void;
}

/**
 * The images that the node agent pulls for the Pods of a run, which may take minutes in which nothing else happens. Only
 * Events say so. Where containers are programs of the machine, a kubelet's Events are recorded too, but nothing is
 * pulled. Errors of their watch are ignored: a user may not be allowed to read Events.
 */
export class ImagePulls {
	readonly #options: ImagePullsOptions;
	/** By the UID of the Pod. */
	readonly #pulls = new Map<string, Event[]>();
	/** By the name of a Node, whether its containers are programs of the machine. */
	readonly #runsPrograms = new Map<string, Promise<boolean>>();

	constructor(options: ImagePullsOptions) {
		this.#options = options;
		const { connection, clock, created, signal, metadata } = options;
		const { namespace, resourceVersion = '' } = metadata;
		const informer = new Informer(connection.client.resource(events, namespace), {
			clock,
			onError: () => undefined,
			narrow: { fieldSelector: 'involvedObject.kind=Pod,reason=Pulling' },
			...(created && { from: { resourceVersion, objects: [] } }),
		});
		informer.subscribe((event) => {
			if (event) void this.#add(event);
		});
		void informer.run(signal);
	}

	async #add(event: Event): Promise<void> {
		const { connection, onChange } = this.#options;
		const node = event.source?.host || event.reportingInstance;
		const runsPrograms = this.#runsPrograms.get(node) ?? runsHostPrograms(connection, node);
		this.#runsPrograms.set(node, runsPrograms);
		if (await runsPrograms) return;
		const { uid = '' } = event.involvedObject;
		this.#pulls.set(uid, [...(this.#pulls.get(uid) ?? []), event]);
		onChange();
	}

	/** The images that are pulled for these Pods now, for the status line: `, pulling nginx`; empty if none is. */
	textFor(pods: readonly Pod[]): string {
		const images = pods.flatMap((pod) => pulledNow(pod, this.#pulls.get(pod.metadata.uid ?? '') ?? []));
		const [first, ...others] = [...new Set(images)];
		if (first === undefined) return '';
		return `, pulling ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
	}
}

/** The images among those of `pulls` for which a container of the Pod still waits. */
export function pulledNow({ spec, status }: Pod, pulls: readonly Event[]): readonly string[] {
	const { initContainerStatuses = [], containerStatuses = [] } = status;
	const started = new Set(
		[...initContainerStatuses, ...containerStatuses]
			.filter(({ state }) => !STARTING.has(state?.waiting?.reason ?? ''))
			.map(({ name }) => name),
	);
	// The node agent writes no status before it has tried to start a container.
	const waits = [...(spec.initContainers ?? []), ...spec.containers].filter(({ name }) => !started.has(name));
	return pulls.flatMap(({ involvedObject: { fieldPath = '' }, message = '' }) => {
		const [, container] = /\{(.*)\}$/.exec(fieldPath) ?? [];
		const [, image] = /^Pulling image "(.*)"$/.exec(message) ?? [];
		// The image of a volume is not of one container.
		const isAwaited =
			container === undefined ? waits.length > 0 : waits.some(({ name }) => name === container);
		return image !== undefined && isAwaited ? [image] : [];
	});
}

/** The waiting reasons of a container that is being started: other ones say why it is not. */
const STARTING: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);
