import { events } from '../../api/core/event/definition.ts';
import type { Event } from '../../api/core/event/schema.ts';
import { ageOf } from '../../api/meta/duration.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import type { Client } from '../../client/client.ts';
import { at } from './lines.ts';

/**
 * The Events about an object, oldest first. Resolves to none if they cannot be listed, as kubectl does: the
 * user may read the object without being allowed to read Events.
 */
export async function eventsAbout(client: Client, { kind, metadata }: KubeObject): Promise<readonly Event[]> {
	const { name, namespace = '', uid = '' } = metadata;
	const find = async (about: string): Promise<readonly Event[]> => {
		const fieldSelector = `involvedObject.name=${name},involvedObject.namespace=${namespace},involvedObject.uid=${about}`;
		const { items } = await client.resource(events, namespace || 'default').list({ fieldSelector });
		return items;
	};
	try {
		// Like the kubelet, the node agent puts the name of its Node in place of the UID; controllers use the UID.
		const found = kind === 'Node' ? [...(await find(uid)), ...(await find(name ?? ''))] : await find(uid);
		return found.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''));
	} catch {
		return [];
	}
}

/** The lines of the Events, which kubectl prints at the end. */
export function eventLines(found: readonly Event[], now: number): readonly string[] {
	if (found.length === 0) return ['Events:\t<none>'];
	return [
		'Events:',
		at(1, 'Type\tReason\tAge\tFrom\tMessage'),
		at(1, '----\t------\t----\t----\t-------'),
		...found.map((event) => at(1, eventText(event, now))),
	];
}

function eventText(event: Event, now: number): string {
	const { type = '', reason = '', source, reportingComponent, involvedObject, message = '' } = event;
	const { fieldPath } = involvedObject;
	const text = fieldPath ? `${fieldPath}: ${message.trim()}` : message.trim();
	return [type, reason, ageText(event, now), source?.component || reportingComponent, text].join('\t');
}

/** The age of an Event; of one that was repeated also how often, and since when. */
function ageText(
	{ eventTime, firstTimestamp, lastTimestamp, count = 0, series }: Event,
	now: number,
): string {
	const first = ageOf(eventTime ?? firstTimestamp, now);
	if (series) return `${ageOf(series.lastObservedTime, now)} (x${series.count} over ${first})`;
	return count > 1 ? `${ageOf(lastTimestamp, now)} (x${count} over ${first})` : first;
}
