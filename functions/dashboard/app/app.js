document.getElementById("app").textContent = "Syncgram Pay";
