import type { Digest } from '../../digest.ts';
import type { TagRecord, TimedManifest } from './repository-records.ts';

/** How long a manifest without a tag is kept, counted from the moment at which the last tag left it, or from its push. */
export const UNTAGGED_MS = 24 * 3_600_000;

/** What a repository has. */
export interface RepositoryContent {
	readonly manifests: readonly TimedManifest[];
	readonly tags: ReadonlyMap<string, TagRecord>;
	/** In ms since the epoch. */
	readonly now: number;
}

/**
 * The manifests of a repository that are no garbage: those with a tag, those that lost theirs (or came without) less than a
 * day ago, those that an index among them names, and those about one of them, such as signatures.
 */
export function keptManifests({ manifests, tags, now }: RepositoryContent): ReadonlySet<Digest> {
	const byDigest = new Map(manifests.map((manifest) => [manifest.digest, manifest]));
	const bySubject = Map.groupBy(manifests, ({ subject }) => subject);
	const tagged = [...tags.values()].map(({ digest }) => digest);
	const recent = manifests.filter(({ untaggedAt }) => now - untaggedAt < UNTAGGED_MS);
	const kept = new Set<Digest>();
	const waiting = [...tagged, ...recent.map(({ digest }) => digest)];
	for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
		const manifest = byDigest.get(digest);
		if (!manifest || kept.has(digest)) continue;
		kept.add(digest);
		for (const part of manifest.manifests) waiting.push(part);
		for (const about of bySubject.get(digest) ?? []) waiting.push(about.digest);
	}
	return kept;
}
