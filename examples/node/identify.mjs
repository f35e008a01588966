// Says who is in a picture, or enrols it: a facewire client made from nothing but the proto files.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";

import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Decision, NoFaceReason } from "./gen/facewire/v1/face_pb.js";
import { EnrolRefusal, GalleryService } from "./gen/facewire/v1/gallery_pb.js";
import { RecognitionService } from "./gen/facewire/v1/recognition_pb.js";

const USAGE = "usage: node identify.mjs HOST:PORT GALLERY PICTURE [--enrol SUBJECT]";
const TIMEOUT_MS = 30_000;

async function identify(transport, galleryId, image) {
  const client = createClient(RecognitionService, transport);
  const response = await client.identifyFaces({ galleryId, probe: { case: "image", value: image } });
  if (response.faces.length === 0) {
    console.log(`no face: ${NoFaceReason[response.noFaceReason]}`);
  }
  for (const { decision, match, candidates } of response.faces) {
    // A stranger is like somebody, too: his closest candidate's similarity is told, the name is not.
    const similarity = candidates[0]?.similarity.toFixed(3) ?? "-";
    console.log([Decision[decision], match?.displayName ?? "-", similarity].join("\t"));
  }
}

async function enrol(transport, galleryId, subjectId, image, sourceName) {
  const client = createClient(GalleryService, transport);
  const { outcomes } = await client.enrolFaces({
    galleryId,
    subjectId,
    createSubject: true,
    images: [{ image, sourceName }],
    // Every write carries a key of its own: sent again with the same key, it happens once.
    idempotencyKey: crypto.randomUUID(),
  });
  const [{ enrolled, refusal, detail }] = outcomes;
  if (!enrolled) {
    throw new Error(`not enrolled: ${EnrolRefusal[refusal]}: ${detail}`);
  }
  console.log(`enrolled\t${enrolled.subjectId}\t${enrolled.faceId}`);
}

// "NOT_FOUND: no gallery ..." for what the server answered, plain words for a picture that cannot be read.
function describe(error) {
  if (!(error instanceof ConnectError)) return error.message;
  const status = Code[error.code].replace(/\B[A-Z]/g, "_$&").toUpperCase();
  return `${status}: ${error.rawMessage}`;
}

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { enrol: { type: "string" } },
  });
  if (positionals.length !== 3) throw new Error(USAGE);
  const [target, galleryId, picture] = positionals;
  const image = { source: { case: "encoded", value: await readFile(picture) } };
  const transport = createGrpcTransport({ baseUrl: `http://${target}`, defaultTimeoutMs: TIMEOUT_MS });
  if (values.enrol) await enrol(transport, galleryId, values.enrol, image, basename(picture));
  else await identify(transport, galleryId, image);
} catch (error) {
  console.error(describe(error));
  process.exitCode = 1;
}
