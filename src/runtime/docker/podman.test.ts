import { engineContract } from './testing/engine-contract.ts';

engineContract('podman');
