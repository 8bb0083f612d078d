import { runtimeContract } from '../contract-suite.ts';
import { openHost } from './host-harness.ts';

runtimeContract('host processes', async () => openHost());
