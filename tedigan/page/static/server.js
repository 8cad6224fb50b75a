// What the page asks of its server, which is this machine.

export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The page's server does not answer. Does `tedigan page` still run?");
  }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? found.detail ?? `The server answered ${answer.status}.`);
  return found;
}

export async function base64Of(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let start = 0; start < bytes.length; start += 32768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  }
  return btoa(text);
}

export const sourceOf = (picture) => `data:image/png;base64,${picture}`;

export async function imageOf(picture) {
  const image = new Image();
  image.src = sourceOf(picture);
  await image.decode();
  return image;
}
